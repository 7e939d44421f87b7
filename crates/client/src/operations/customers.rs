//! Operations on customers.

use keyward_core::ids::CustomerId;
use keyward_core::list::{CustomerChanged, CustomerDetail, CustomerList, Done, ListQuery};
use keyward_core::owner::{CreateCustomer, Customer, UpdateCustomer};

use crate::client::Client;
use crate::error::Error;

const CUSTOMERS: [&str; 3] = ["api", "governance", "customers"];

fn one(id: &CustomerId) -> [&str; 4] {
    let [api, governance, customers] = CUSTOMERS;
    [api, governance, customers, id.as_str()]
}

impl Client {
    /// Makes a customer.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn customer_create(&self, request: &CreateCustomer) -> Result<CustomerChanged, Error> {
        self.create("customer_create", &CUSTOMERS, request).await
    }

    /// Lists customers.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn customer_list(&self, query: &ListQuery) -> Result<CustomerList, Error> {
        self.list("customer_list", &CUSTOMERS, query).await
    }

    /// Reads a customer.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn customer_get(&self, id: &CustomerId) -> Result<Customer, Error> {
        self.get("customer_get", &one(id)).await.map(|detail: CustomerDetail| detail.customer)
    }

    /// Edits a customer: what is absent stays.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn customer_update(&self, id: &CustomerId, request: &UpdateCustomer) -> Result<CustomerChanged, Error> {
        self.put("customer_update", &one(id), request).await
    }

    /// Deletes a customer.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn customer_delete(&self, id: &CustomerId) -> Result<Done, Error> {
        self.delete("customer_delete", &one(id)).await
    }
}
