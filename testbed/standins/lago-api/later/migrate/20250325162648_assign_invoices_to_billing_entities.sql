UPDATE invoices SET billing_entity_id = organization_id;
